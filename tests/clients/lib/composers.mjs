// The three composers in use, each as: subgraphs ({ name, url, text }) → { supergraph } or { errors }.
import { composeServices as apollo } from '@apollo/composition'
import { composeServices as guild } from '@theguild/federation-composition'
import { federateSubgraphs, ROUTER_COMPATIBILITY_VERSION_ONE } from '@wundergraph/composition'
import { parse } from 'graphql'

const parsed = (subgraphs) => subgraphs.map(({ name, url, text }) => ({ name, url, typeDefs: parse(text) }))
const said = (errors) => (errors ?? []).map((error) => error.message)

export const COMPOSERS = {
  '@apollo/composition': (subgraphs) => {
    const { supergraphSdl, errors, hints } = apollo(parsed(subgraphs))
    return { supergraph: supergraphSdl, errors: said(errors), hints: said(hints) }
  },
  '@theguild/federation-composition': (subgraphs) => {
    const { supergraphSdl, errors } = guild(parsed(subgraphs))
    return { supergraph: supergraphSdl, errors: said(errors), hints: [] }
  },
  '@wundergraph/composition': (subgraphs) => {
    const found = federateSubgraphs({
      subgraphs: subgraphs.map(({ name, url, text }) => ({ name, url, definitions: parse(text) })),
      version: ROUTER_COMPATIBILITY_VERSION_ONE,
    })
    return { errors: found.success ? [] : said(found.errors), hints: said(found.warnings) }
  },
}
