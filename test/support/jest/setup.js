import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileTemplates } from '../../../scripts/templates.js'

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/** As `npm run build` does: what the tests start in processes of its own is what operators start. */
export default () => {
  compileTemplates()
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    stdio: 'inherit',
  })
}
