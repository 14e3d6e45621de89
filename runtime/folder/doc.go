// Package folder reads files as a project's rows: for those who write workflows in an editor, or
// keep them in a repository.
//
// A file is a workflow of its own name: order-intake.ts is the workflow order-intake. What lies
// beside it as order-intake.activities.ts are its activities. What is called greet.component.ts, or
// lies below a folder named components, is a component. Declarations (.d.ts), tests (.test.ts,
// .spec.ts), node_modules and hidden folders are passed over.
//
// The ids of what it gives are the files' paths. It compiles nothing; it imports only runtime.
package folder
