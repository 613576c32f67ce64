console.log('hello, world')
console.error('hello, error')
