"""A contract for import-linter: pure modules import nothing but what is known to be pure."""

from pathlib import Path

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

from tests.architecture.pure import pure_modules, settings


class PureContract(Contract):
    """Each module in ``[tool.stagebox] pure`` imports only others, or what ``pure_may_import`` has.

    The lists are of what is allowed, not of what is forbidden, so that a new library
    is outside until somebody lets it in. Direct imports are enough: what is imported
    is pure itself.
    """

    type_name = "pure"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        root = Path.cwd()
        pure = pure_modules(root)
        allowed = {*pure, *settings(root)["pure_may_import"]}
        problems = [f"{name} does not exist" for name in pure if name not in graph.modules]
        for name in sorted(set(pure) & graph.modules):
            others = graph.find_modules_directly_imported_by(name) - allowed
            problems += [f"{name} imports {other}" for other in sorted(others)]
        return ContractCheck(kept=not problems, metadata={"problems": problems})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for problem in check.metadata["problems"]:
            output.print_error(f"- {problem}", bold=False)
