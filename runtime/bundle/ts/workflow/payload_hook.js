// The package asks for a custom payload converter at each execution's start. CommonJS, because esbuild copies a module's
// exports each time it is required as CommonJS and isn't.
exports.payloadConverter = require('./payloads').payloadConverter;
