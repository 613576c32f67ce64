exports.hello = () => 'hello world'
