// Package schema tells in two other languages what is in the rows: rows.schema.json is JSON Schema,
// rows.ts are TypeScript's types, for those who write a user interface or a client. Both are made of
// the Go types that the service writes and reads, and of the tables as the migrations make them;
// a test fails where they are stale, and `make schema` writes them anew.
//
// Consumers must expect fields that are not listed: more may come.
package schema
