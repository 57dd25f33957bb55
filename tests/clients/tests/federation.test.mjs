// The graph as a subgraph: composed by each composer, and joined both ways by a router with somebody else's.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { ApolloGateway } from '@apollo/gateway'
import { parse } from 'graphql'
import { COMPOSERS } from '../lib/composers.mjs'
import { ask, EXPORTED, HERE, URL_OF_GRAPH } from '../lib/gateway.mjs'
import { OPERATORS, serveOperators } from '../lib/operators.mjs'

const UNSEEN = '0x' + 'ee'.repeat(20)
let ours, theirs, known, cards, router

before(async () => {
  const data = await ask('{ _service { sdl } orchestrators { nodes { address } } gpus { nodes { id } } }')
  ours = data._service.sdl
  known = data.orchestrators.nodes.map((one) => one.address)
  cards = data.gpus.nodes.map((one) => one.id)
  theirs = await serveOperators([
    { name: 'first', address: known[0], gpus: cards.slice(0, 2) },
    { name: 'unseen', address: UNSEEN, gpus: [] },
    { name: 'last', address: known.at(-1), gpus: [] },
  ])
  const { supergraph, errors } = COMPOSERS['@apollo/composition']([
    { name: 'naap', url: URL_OF_GRAPH, text: ours },
    { name: 'operators', url: theirs.url, text: OPERATORS },
  ])
  assert.deepEqual(errors, [])
  router = new ApolloGateway({ supergraphSdl: supergraph, logger: { debug() {}, info() {}, warn() {}, error() {} } })
  router.executor = (await router.load()).executor
})

after(async () => {
  await router?.stop()
  theirs?.close()
})

async function routed(query) {
  const request = { query, variables: {} }
  return router.executor({ document: parse(query), request, queryHash: query, context: {}, metrics: {}, overallCachePolicy: {} })
}

for (const [name, compose] of Object.entries(COMPOSERS)) {
  test(`${name} composes what the service tells, and the exported file`, () => {
    for (const text of [ours, EXPORTED]) {
      const { errors, hints } = compose([
        { name: 'naap', url: URL_OF_GRAPH, text },
        { name: 'operators', url: 'http://127.0.0.1:1/', text: OPERATORS },
      ])
      assert.deepEqual({ errors, hints }, { errors: [], hints: [] })
    }
  })
}

test('the example of the page composes', () => {
  const page = readFileSync(`${HERE}../../docs/clients.md`, 'utf8')
  const example = page.match(/```graphql\n(.*?)```/s)[1]
  const text = `${example} type Query { operators: [Operator!]! } type Operator @key(fields: "name") { name: String! }`
  for (const compose of Object.values(COMPOSERS)) {
    const other = { name: 'operators', url: 'http://127.0.0.1:1/', text }
    assert.deepEqual(compose([{ name: 'naap', url: URL_OF_GRAPH, text: ours }, other]).errors, [])
  }
})

test('their operators are joined with our numbers; who was never seen is null and the rest stands', async () => {
  const { data, errors } = await routed(`{ operators { name
    orchestrator { address serviceUris lastSeenAt metrics(window: { last: "PT24H" }) { sessions } }
    gpus { id model rented } } }`)

  assert.equal(errors, undefined)
  const [first, unseen, last] = data.operators
  assert.equal(first.orchestrator.address, known[0])
  assert.ok(first.orchestrator.lastSeenAt)
  assert.ok(first.orchestrator.metrics.sessions >= 0)
  assert.deepEqual(first.gpus.map((one) => [one.id, Boolean(one.model), one.rented]), cards.slice(0, 2).map((id) => [id, true, true]))
  assert.deepEqual({ ...unseen.orchestrator }, { address: UNSEEN, serviceUris: null, lastSeenAt: null, metrics: null })
  assert.ok(last.orchestrator.serviceUris.length > 0)
})

test('our orchestrators are joined with their operators', async () => {
  const { data, errors } = await routed('{ orchestrators { nodes { address operator { name } } pageInfo { hasNextPage } } }')

  assert.equal(errors, undefined)
  const names = Object.fromEntries(data.orchestrators.nodes.map((one) => [one.address, one.operator?.name ?? null]))
  assert.deepEqual(Object.keys(names), known)
  assert.equal(names[known[0]], 'first')
  assert.equal(names[known.at(-1)], 'last')
  assert.equal(Object.values(names).filter(Boolean).length, 2)
})

test('there and back again: through their field to our entity and its own', async () => {
  const { data, errors } = await routed(`{ orchestrators(first: 1) { nodes { operator { name
    orchestrator { id nodeVersion gpus(first: 1) { nodes { gpuId rented } } } } } } }`)

  assert.equal(errors, undefined)
  const { operator } = data.orchestrators.nodes[0]
  assert.equal(operator.name, 'first')
  assert.equal(typeof operator.orchestrator.gpus.nodes[0].rented, 'boolean')
})
