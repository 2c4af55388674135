const ts = require('typescript')

/** TypeScript without types: all that jest needs to load the workspace's sources. */
function process(source) {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, inlineSourceMap: true }
  return { code: ts.transpileModule(source, { compilerOptions }).outputText }
}

module.exports = { process }
