// biome-ignore lint/style/useNodejsImportProtocol: many programs are written so.
const fs = require('fs')

console.log(fs.readdirSync(process.cwd(), 'utf-8'))
