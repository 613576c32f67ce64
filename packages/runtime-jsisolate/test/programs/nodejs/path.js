// biome-ignore lint/style/useNodejsImportProtocol: many programs are written so.
const path = require('path')

console.log(path.resolve('.'))
console.log(path.join('foo', 'bar'))
