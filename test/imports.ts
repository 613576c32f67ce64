import { isBuiltin } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'

export interface Import {
  specifier: string
  /** True for `import type` and `export type`: nothing of it is left when the program runs. */
  isTypeOnly: boolean
}

/** Every module that a source file names: import, export from, import(), require(), import types. */
export function importsOf(text: string): Import[] {
  const imports: Import[] = []
  const add = (specifier: ts.Node | undefined, isTypeOnly: boolean) => {
    if (specifier && ts.isStringLiteralLike(specifier)) imports.push({ specifier: specifier.text, isTypeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isExternalModuleReference(node)) add(node.expression, false)
    else if (ts.isImportTypeNode(node)) add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true)
    else if (ts.isCallExpression(node) && loadsModule(node.expression)) add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest))
  return imports
}

function loadsModule(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
}

export interface SourceFile {
  /** Relative to the package, e.g. `src/index.ts`. */
  path: string
  imports: Import[]
}

export interface Rules {
  /** The names of our own packages that this one may import. */
  siblings: readonly string[]
  /** Of Node's modules, those that may be imported by more than their types. Default: all. */
  builtins?: readonly string[]
  /** Our own packages that are found by name when the program runs, not imported. */
  resolvesByName?: readonly string[]
}

/** What breaks the rules in one package, in words; empty when nothing does. */
export function problemsOf(files: readonly SourceFile[], dependencies: readonly string[], ours: readonly string[], rules: Rules): string[] {
  const problems: string[] = []
  const used = new Set(rules.resolvesByName)
  for (const { path, imports } of files) {
    for (const { specifier, isTypeOnly } of imports) {
      const report = (why: string) => problems.push(`${path} imports ${specifier}: ${why}`)
      if (specifier.startsWith('.')) {
        if (normalize(join(dirname(path), specifier)).startsWith('..')) report('it lies outside the package')
      } else if (isBuiltin(specifier)) {
        if (!isTypeOnly && rules.builtins && !rules.builtins.includes(specifier)) report('this package does no I/O')
      } else {
        const name = packageName(specifier)
        used.add(name)
        if (ours.includes(name) && !rules.siblings.includes(name)) report('the edge is not allowed')
        if (!dependencies.includes(name)) report('package.json does not list it')
      }
    }
  }
  for (const name of dependencies) {
    if (ours.includes(name) && !used.has(name)) problems.push(`package.json lists ${name}, which nothing imports`)
  }
  return problems
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
