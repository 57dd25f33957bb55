// GraphiQL's regenerator-runtime assigns this name in strict mode; where there is none it would compile code from text
// (`Function(…)`), which the page's policy forbids.
window.regeneratorRuntime = undefined;
