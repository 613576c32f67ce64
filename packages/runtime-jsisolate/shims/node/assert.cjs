module.exports = require('assert/')
