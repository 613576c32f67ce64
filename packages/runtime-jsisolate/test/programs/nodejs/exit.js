console.log('yo')
process.exit(1)
console.log('not any more')
