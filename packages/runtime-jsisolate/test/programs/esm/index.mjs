import { add } from './funcs/add.js'
import mult from './funcs/mult.js'

console.log('add result:', add(1, 2))

export { add, mult }
export const arrays = { double: (array) => array.map((x) => x * 2) }
export default (object) => ({ hello: `${object.name} and world` })
