console.log('self closing')
process.exit(1)
console.log('not any more')
