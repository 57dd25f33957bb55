// graphql-codegen's client preset, whose types a strict tsc reads in use; what it persists is what the gateway executes.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { before, test } from 'node:test'
import { ask, HERE } from '../lib/gateway.mjs'

const run = (script, ...options) => {
  try {
    execFileSync(process.execPath, [`${HERE}node_modules/${script}`, ...options], { cwd: HERE, stdio: 'pipe', encoding: 'utf8' })
  } catch (failed) {
    assert.fail(`${failed.stdout}\n${failed.stderr}`)
  }
}

before(() => {
  rmSync(`${HERE}generated/codegen`, { recursive: true, force: true })
  run('@graphql-codegen/cli/cjs/bin.js', '--config', 'codegen.mjs')
})

test('tsc --strict reads the types in use', () => run('typescript/bin/tsc', '--strict', '--project', '.'))

test('the documents that it persists are executed', async () => {
  const persisted = JSON.parse(readFileSync(`${HERE}generated/codegen/persisted-documents.json`, 'utf8'))
  const [page] = Object.values(persisted).filter((text) => text.includes('query Orchestrators'))
  const order = { metric: 'outputFps', window: { last: 'P7D' }, direction: 'DESC' }
  const { orchestrators } = await ask(page, { first: 3, filter: { lastSeenAt: { gt: '2020-01-01T00:00:00Z' } }, order })

  assert.equal(orchestrators.edges.length, 3)
  assert.ok(orchestrators.totalCount >= 3)
})
