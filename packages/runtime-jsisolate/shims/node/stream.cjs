// Node's own streams, as a package; its main file would be Node's where there is one.
module.exports = require('readable-stream/lib/stream')
