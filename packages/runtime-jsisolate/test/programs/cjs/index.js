const { add, mult } = require('./funcs')

console.log('add result:', add(1, 2))

module.exports = {
  add,
  mult,
  arrays: { double: (array) => array.map((x) => x * 2) },
  objects: { greet: (object) => ({ hello: `${object.name} and world` }) },
}
