// Relay: its compiler on a paginated and a refetchable fragment, and its runtime on what the compiler makes of them.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { before, test } from 'node:test'
import compiler from 'relay-compiler'
import relay from 'relay-runtime'
import { ask, HERE } from '../lib/gateway.mjs'

const ARTIFACTS = `${HERE}generated/relay`
const { createOperationDescriptor, Environment, fetchQuery, getSelector, Network, RecordSource, Store } = relay
const require = createRequire(import.meta.url)
let artifact, environment

before(() => {
  rmSync(ARTIFACTS, { recursive: true, force: true })
  mkdirSync(ARTIFACTS, { recursive: true })
  writeFileSync(`${ARTIFACTS}/package.json`, '{"type": "commonjs"}')
  execFileSync(compiler, ['relay.config.json'], { cwd: HERE, stdio: 'pipe' })
  artifact = (name) => require(`${ARTIFACTS}/${name}.graphql.js`)
  environment = new Environment({
    network: Network.create(async ({ text }, variables) => ({ data: await ask(text, variables) })),
    store: new Store(new RecordSource()),
  })
})

/** Fetches a query into the store; gives what it reads there. */
async function fetched(name, variables = {}) {
  const query = artifact(name)
  await fetchQuery(environment, query, variables).toPromise()
  const operation = createOperationDescriptor(query, variables)
  environment.retain(operation)
  return environment.lookup(operation.fragment).data
}

const seen = (name, reference) => environment.lookup(getSelector(artifact(name), reference)).data

test('a page is appended to the connection, and a fragment is fetched again by its global id', async () => {
  const root = await fetched('orchestratorsQuery')
  const { edges, pageInfo } = seen('orchestrators_page', root).orchestrators
  assert.equal(edges.length, 2)
  assert.equal(pageInfo.hasNextPage, true)

  await fetched('orchestratorsPageQuery', { first: 3, after: pageInfo.endCursor })
  const longer = seen('orchestrators_page', root).orchestrators.edges
  assert.equal(longer.length, 5)
  assert.equal(new Set(longer.map((edge) => edge.node.address)).size, 5)

  const { id, lastSeenAt } = seen('orchestrators_one', edges[0].node)
  const day = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' }
  const { node } = await fetched('orchestratorsOneQuery', { id, window: day })
  const again = seen('orchestrators_one', node)
  assert.equal(again.lastSeenAt, lastSeenAt)
  assert.deepEqual(again.metrics, { sessions: 0, window: day })
})
