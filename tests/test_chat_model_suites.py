"""LangChain's own conformance suites on `LocalChat`, picked test by test so that none skips itself.

On the pocket writer where any reply will do, on a script where a certain one is wanted. Left out: what a local writer
does not take (pictures, sound, PDF and Anthropic's own blocks; another model's name per call), what needs a key in the
environment or a constructor from plain data (`init_from_env`, `serdes`), and what measures time.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from doubles import ScriptedWriter
from langchain_tests.integration_tests.chat_models import ChatModelIntegrationTests as Whole
from langchain_tests.unit_tests.chat_models import ChatModelTests
from langchain_tests.unit_tests.chat_models import ChatModelUnitTests as Unit

from socratic.chat_model import LocalChat
from socratic.values import Call, Reply, Request, Usage
from socratic.workbench import open_profile

SAID = {"input": 3, "customer_name": "你好こんにちは", "description": "科技公司", "location": "San Francisco"}


@cache
def pocket_writer() -> Any:
    return open_profile("pocket", keep=False).tool("writer")


def answer(request: Request) -> Reply:
    """Calls what is offered once, fills in what a schema wants, else chats."""
    if request.tools and request.messages[-1].role == "user":
        wanted = json.loads(request.tools[0].schema)["properties"]
        arguments = json.dumps({name: SAID.get(name, "hello") for name in wanted}, ensure_ascii=False)
        return Reply("", Usage(5, 5), calls=(Call(request.tools[0].name, arguments, "call_1"),))
    if request.schema:
        return Reply(json.dumps({name: "why" for name in json.loads(request.schema)["properties"]}), Usage(5, 5))
    return Reply("It is sunny.", Usage(5, 5))


class Base(ChatModelTests):
    def writer(self) -> Any:
        return ScriptedWriter(answer)

    @property
    def chat_model_class(self) -> type[LocalChat]:
        return LocalChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"writer": self.writer(), "max_tokens": 60}

    @pytest.fixture
    def model(self, request: pytest.FixtureRequest) -> LocalChat:
        return LocalChat(**{**self.chat_model_params, **getattr(request, "param", {})})


class TestUnits(Base):
    test_init = Unit.test_init
    test_init_streaming = Unit.test_init_streaming
    test_bind_tool_pydantic = Unit.test_bind_tool_pydantic
    test_with_structured_output = Unit.test_with_structured_output
    test_standard_params_model_override = Unit.test_standard_params_model_override

    test_standard_params = Unit.test_standard_params

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"writer": self.writer()}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "max_tokens": 100, "timeout": 60, "stop": [], "max_retries": 2}


class TestOnThePocketWriter(Base):
    test_invoke = Whole.test_invoke
    test_ainvoke = pytest.mark.asyncio(Whole.test_ainvoke)
    test_stream = Whole.test_stream
    test_astream = pytest.mark.asyncio(Whole.test_astream)
    test_stream_events_v3 = Whole.test_stream_events_v3
    test_astream_events_v3 = pytest.mark.asyncio(Whole.test_astream_events_v3)
    test_batch = Whole.test_batch
    test_abatch = pytest.mark.asyncio(Whole.test_abatch)
    test_conversation = Whole.test_conversation
    test_double_messages_conversation = Whole.test_double_messages_conversation
    test_usage_metadata = Whole.test_usage_metadata
    test_usage_metadata_streaming = Whole.test_usage_metadata_streaming
    test_stop_sequence = Whole.test_stop_sequence
    test_message_with_name = Whole.test_message_with_name
    test_tool_message_histories_string_content = Whole.test_tool_message_histories_string_content
    test_tool_message_histories_list_content = Whole.test_tool_message_histories_list_content
    test_tool_message_error_status = Whole.test_tool_message_error_status
    test_tool_calling_with_no_arguments = Whole.test_tool_calling_with_no_arguments

    def writer(self) -> Any:
        return pocket_writer()


class TestOnAScript(Base):
    supports_json_mode = True
    test_tool_calling = Whole.test_tool_calling
    test_tool_calling_async = pytest.mark.asyncio(Whole.test_tool_calling_async)
    test_bind_runnables_as_tools = Whole.test_bind_runnables_as_tools
    test_structured_output = Whole.test_structured_output
    test_structured_output_async = pytest.mark.asyncio(Whole.test_structured_output_async)
    test_structured_output_pydantic_2_v1 = Whole.test_structured_output_pydantic_2_v1
    test_structured_output_optional_param = Whole.test_structured_output_optional_param
    test_tool_choice = Whole.test_tool_choice
    test_structured_few_shot_examples = Whole.test_structured_few_shot_examples
    test_json_mode = Whole.test_json_mode
    test_agent_loop = Whole.test_agent_loop
    test_unicode_tool_call_integration = Whole.test_unicode_tool_call_integration
