// What an application would do with the generated types. tsc reads it, strictly; nothing runs it.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { readFragment } from '../generated/codegen'
import {
  OrchestratorsDocument,
  type OrchestratorsQuery,
  type OrchestratorsQueryVariables,
  PerformanceFragmentDoc,
  ThingsDocument,
} from '../generated/codegen/graphql'

declare function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>

export async function addresses(variables: OrchestratorsQueryVariables): Promise<string[]> {
  const data: OrchestratorsQuery = await ask(OrchestratorsDocument, variables)
  return (data.orchestrators?.edges ?? []).map(({ node }) => {
    const { address, metrics } = readFragment(PerformanceFragmentDoc, node)
    const fps: number | null | undefined = metrics?.outputFps.value
    return `${address}: ${fps?.toFixed(1) ?? 'no evidence'}`
  })
}

export async function models(ids: string[]): Promise<(string | null | undefined)[]> {
  const data = await ask(ThingsDocument, { ids })
  return data.nodes.map((one) => (one?.__typename === 'Gpu' ? one.model : null))
}
