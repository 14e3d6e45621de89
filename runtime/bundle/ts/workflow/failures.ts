// The package asks for a custom failure converter; there is none.
export const failureConverter = undefined;
