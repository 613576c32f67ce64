// The default theme without its web font: the fonts of the machine are there already.
import Theme from 'vitepress/theme-without-fonts'
import './style.css'

export default Theme
