exports.ping = (value) => ({ pong: value })
