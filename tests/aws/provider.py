# ruff: noqa: N802  (the names are the protocol's)
"""A stand-in for the `aws` resource provider: the engine's protocol, and an account in a folder.

Run by the engine as a program. It prints its port, and serves until the engine ends it.
"""

import json
import os
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc as rpc

from tests.aws import calls, checking, cloud
from tests.aws.account import FOLDER, Account, AwsError, Thing
from tests.aws.calls import Call
from tests.aws.difference import differences, within
from tests.aws.invokes import answer
from tests.aws.kinds import REGION, kinds, outputs, planned
from tests.aws.wire import UNKNOWN, Values, message, urn_of, values

VERSION: Final = "7.51.1"
UNLIMITED: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class StandIn(rpc.ResourceProviderServicer):
    """One provider of a program: its settings are its own, the account is everybody's."""

    def __init__(self, folder: Path) -> None:
        self._account = Account(folder)
        self._region = REGION
        self._default_tags: dict[str, str] = {}

    def Handshake(self, _: Any, __: Any) -> pb.ProviderHandshakeResponse:
        """Take plain values only: the engine keeps track of secrets."""
        return pb.ProviderHandshakeResponse()

    def GetPluginInfo(self, _: Any, __: Any) -> plugin_pb2.PluginInfo:
        """Return the version that the SDK expects."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, _: Any, __: Any) -> pb.GetSchemaResponse:
        """Return a schema without content; the SDK has it all."""
        return pb.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": VERSION}))

    def CheckConfig(self, request: Any, _: Any) -> pb.CheckResponse:
        """Take every configuration."""
        return pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, _: Any) -> pb.DiffResponse:
        """Never replace a provider."""
        same = values(request.olds) == values(request.news)
        return pb.DiffResponse(changes=_some(changed=not same))

    def Configure(self, request: Any, context: Any) -> pb.ConfigureResponse:
        """Refuse another account than the ones that the program allows."""
        given = values(request.args)
        call = Call(method="Configure", kind="Provider", name="", inputs=given)
        with self._logged(call, context), self._account.held() as contents:
            account, allowed = contents.settings.account, _nested(given, "allowedAccountIds", [])
            if allowed and account not in allowed:
                raise AwsError(f"AWS account ID not allowed: {account}")
            self._default_tags = _nested(given, "defaultTags", {}).get("tags") or {}
            self._region = given.get("region", REGION)
        return pb.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, _: Any) -> pb.CheckResponse:
        """Complete the inputs, and say what is wrong with them."""
        urn, given = urn_of(request.urn), values(request.news)
        failures = [
            pb.CheckFailure(property=problem.path, reason=problem.reason)
            for problem in checking.problems(urn.kind, given)
        ]
        if not failures:
            seed = request.randomSeed or request.urn.encode()
            given = checking.named(urn, given, old=values(request.olds), seed=seed)
            given = checking.with_defaults(urn.kind, given, self._region, self._default_tags)
        return pb.CheckResponse(inputs=message(given), failures=failures)

    def Diff(self, request: Any, _: Any) -> pb.DiffResponse:
        """Compare inputs; some properties cannot change without a replacement."""
        kind, new = urn_of(request.urn).kind, values(request.news)
        paths = differences(values(request.old_inputs), new, request.ignoreChanges)
        replaces = [path for path in paths if within(path, kinds()[kind].replaces)]
        update, replacement = pb.PropertyDiff.UPDATE, pb.PropertyDiff.UPDATE_REPLACE
        return pb.DiffResponse(
            changes=_some(changed=bool(paths)),
            diffs=sorted({path.split(".", 1)[0].split("[", 1)[0] for path in paths}),
            replaces=replaces,
            # A name that the program gives is taken until the old resource is gone.
            deleteBeforeReplace=bool(replaces) and not checking.auto_named(kind, new),
            detailedDiff={
                path: pb.PropertyDiff(
                    kind=replacement if path in replaces else update, inputDiff=True
                )
                for path in paths
            },
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: Any) -> pb.CreateResponse:
        """Make a resource."""
        urn, inputs = urn_of(request.urn), values(request.properties)
        call = _call("Create", request, inputs)
        new = Thing(kind=urn.kind, id="", name=urn.name, code="", inputs=inputs)
        with self._logged(call, context), self._account.held() as contents:
            if request.preview:
                return pb.CreateResponse(properties=message(planned(new)))
            self._account.meet_fault("Create", str(urn))
            cloud.make(new, contents)
            return pb.CreateResponse(id=new.id, properties=message(new.outputs))

    def Update(self, request: Any, context: Any) -> pb.UpdateResponse:
        """Change a resource."""
        urn, inputs = urn_of(request.urn), values(request.news)
        call = _call("Update", request, inputs)
        with self._logged(call, context), self._account.held() as contents:
            changed = cloud.changed(contents, urn.kind, request.id, inputs)
            if request.preview:
                unknown = dict.fromkeys(kinds()[urn.kind].counted, UNKNOWN)
                return pb.UpdateResponse(properties=message(changed.outputs | unknown))
            self._account.meet_fault("Update", str(urn))
            cloud.change(changed, contents)
            return pb.UpdateResponse(properties=message(changed.outputs))

    def Read(self, request: Any, context: Any) -> pb.ReadResponse:
        """Say what there is: what was made, as it is by now."""
        urn = urn_of(request.urn)
        with self._logged(_call("Read", request, {}), context), self._account.held() as contents:
            thing = contents.find(urn.kind, request.id)
            if thing is None:
                return pb.ReadResponse(id="")
            thing.outputs = outputs(thing, contents.settings)
            properties, inputs = message(thing.outputs), message(thing.inputs)
            return pb.ReadResponse(id=thing.id, properties=properties, inputs=inputs)

    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Delete a resource; one that is gone is deleted."""
        urn = urn_of(request.urn)
        with self._logged(_call("Delete", request, {}), context), self._account.held() as contents:
            self._account.meet_fault("Delete", str(urn))
            cloud.remove(contents, urn.kind, request.id)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> pb.InvokeResponse:
        """Answer the questions that the stand-in knows."""
        asked = values(request.args)
        call = Call(method="Invoke", kind=request.tok, name="", inputs=asked)
        with self._logged(call, context), self._account.held() as contents:
            found = answer(request.tok, self._region, contents.settings)
            if found is None:
                reason = f"the stand-in has no answer for {request.tok}"
                return pb.InvokeResponse(failures=[pb.CheckFailure(reason=reason)])
            return pb.InvokeResponse(**{"return": message(asked | found)})

    def Attach(self, _: Any, __: Any) -> empty_pb2.Empty:
        """Be called by the engine alone."""
        return empty_pb2.Empty()

    def Cancel(self, _: Any, __: Any) -> empty_pb2.Empty:
        """Have nothing to cancel: every call is short."""
        return empty_pb2.Empty()

    @contextmanager
    def _logged(self, call: Call, context: Any) -> Iterator[None]:
        error = ""
        try:
            yield
        except AwsError as refusal:
            error = str(refusal)
        calls.write(self._account.folder, replace(call, error=error))
        if error:
            context.abort(grpc.StatusCode.UNKNOWN, error)


def _call(method: str, request: Any, inputs: Values) -> Call:
    urn = urn_of(request.urn)
    preview, timeout_s = getattr(request, "preview", False), getattr(request, "timeout", 0)
    return Call(
        method=method,
        kind=urn.kind,
        name=urn.name,
        preview=preview,
        timeout_s=timeout_s,
        inputs=inputs,
    )


def _nested(given: Values, name: str, default: Any) -> Any:
    """Return a setting that is no string: the engine sends it as JSON."""
    value = given.get(name)
    if value in (None, UNKNOWN):
        return default
    return json.loads(value) if isinstance(value, str) else value


def _some(*, changed: bool) -> "pb.DiffResponse.DiffChanges.ValueType":
    return pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE


def main() -> None:
    """Serve the account whose folder the environment names."""
    server = grpc.server(futures.ThreadPoolExecutor(8), options=UNLIMITED)
    rpc.add_ResourceProviderServicer_to_server(StandIn(Path(os.environ[FOLDER])), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201  the engine reads this one line
    server.wait_for_termination()


if __name__ == "__main__":
    main()
