module.exports = { add: require('./add'), mult: require('./mult.js'), ...require('./data') }
