// Somebody else's subgraph: who runs an orchestrator, which the gateway does not know.
import { createServer } from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { parse } from 'graphql'
import { createHandler } from 'graphql-http/lib/use/http'

export const OPERATORS = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
  type Query { operators: [Operator!]! }
  type Operator @key(fields: "name") { name: String! orchestrator: Orchestrator gpus: [Gpu!]! }
  type Orchestrator @key(fields: "address") { address: Address! operator: Operator }
  type Gpu @key(fields: "id") { id: ID! rented: Boolean }
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  scalar Address
`

/** Serves the subgraph over these operators ({ name, address, gpus: [id] }); gives its URL and a way to end it. */
export async function serveOperators(operators) {
  const named = (one) => ({
    name: one.name,
    orchestrator: { __typename: 'Orchestrator', address: one.address },
    gpus: one.gpus.map((id) => ({ __typename: 'Gpu', id })),
  })
  const schema = buildSubgraphSchema({
    typeDefs: parse(OPERATORS),
    resolvers: {
      Query: { operators: () => operators.map(named) },
      Orchestrator: {
        operator: ({ address }) => operators.filter((one) => one.address === address).map(named)[0],
      },
      Gpu: { rented: ({ id }) => operators.some((one) => one.gpus.includes(id)) },
    },
  })
  const server = createServer(createHandler({ schema }))
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }
}
