// Package encryption makes what executions are given, and give, unreadable for Temporal's server:
// their payloads are encrypted on the connection, below all that reads or makes them.
//
// # What it promises
//
//   - Payloads are encrypted as Temporal's samples do it (AES-256-GCM, encoding "binary/encrypted", the key's id in
//     "encryption-key-id"), or by a codec server. Search attributes aren't: the server must read them. With Config.Failures the messages
//     and stacks of failures are, too; those that somebody else encoded always are.
//   - What was written before, or by somebody without a codec, stays readable: what isn't encrypted passes as it is.
//   - A call that is tried again is encrypted afresh: the caller's message is never changed.
//   - Nobody works on what can't be read. Such a task fails with the reason and is given out again; a history is an error. What only lists or
//     describes executions passes encrypted, so that somebody else's don't hide ours.
//   - While a codec server is away no task is asked for, and what goes to the server waits or is tried again ([State]).
//   - Keys are in no text that it makes.
//
// # What it must never do
//
// It knows messages, not executions: it imports nothing of ours but logkey, and the wire, which reads
// and makes the messages above it.
package encryption
