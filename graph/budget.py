"""Operations pay before they run: their cost is worked out, charged, and told in every answer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError
from strawberry.extensions import SchemaExtension

from auth.account import Account
from graph.estimate import Asked, Priced, compiled, price
from metrics.errors import GatewayError
from resolvers.context import Context

# Is not answered.
WORTH = "worth"


@dataclass(slots=True)
class Quoted:
    """In a context's notes: the operation is checked, what it is made of is told here, and nothing is executed."""

    operation: Priced | None = None


class Budgeted(SchemaExtension):
    """Charges the caller's account, where the request has one, and gives back what the answer was not worth."""

    worth = 0

    async def on_execute(self) -> AsyncIterator[None]:
        """Around the execution."""
        execution = self.execution_context
        context: Context = execution.context
        account, quoted = context.account, context.notes.get(Quoted)
        if account is None and quoted is None:
            yield
            return
        document, core = execution.graphql_document, execution.schema._schema
        assert document is not None
        operation = compiled(core, document, execution.operation_name)
        if isinstance(quoted, Quoted):
            quoted.operation, execution.result = operation, ExecutionResult(None, None)
        if account is None:
            yield
            return
        paid = price(operation, Asked(execution.variables or {}, context.began, context.limits))
        self.worth = paid.cost
        try:
            await account.charge(paid)
        except GatewayError as error:
            execution.result = ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
        if account.only_estimate and execution.result is None:
            execution.result = ExecutionResult(None, None)
        was_settled = execution.result is not None
        yield
        result: Any = execution.result
        # An answer with errors is not given back for: what failed may have been the dear part.
        if not was_settled and result is not None and not result.errors:
            self.worth = operation.actual(result.data)
            await account.settle(paid, self.worth)

    def get_results(self) -> dict[str, Any]:
        """What stands in `extensions`, and what the answer was worth, for whoever tells it again."""
        account: Account | None = self.execution_context.context.account
        return {} if account is None else {"cost": account.told(), WORTH: self.worth}
