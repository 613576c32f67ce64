// biome-ignore lint/style/useNodejsImportProtocol: many programs are written so.
const os = require('os')
console.log(typeof os.hostname())
