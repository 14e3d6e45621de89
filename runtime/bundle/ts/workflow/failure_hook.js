// The package asks for a custom failure converter; there is none.
exports.failureConverter = undefined;
