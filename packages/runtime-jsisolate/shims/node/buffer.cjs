const buffer = require('buffer/')

module.exports = { ...buffer, atob, btoa, constants: { MAX_LENGTH: buffer.kMaxLength, MAX_STRING_LENGTH: 0x1fffffe8 } }
