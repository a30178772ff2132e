"""The unchanged OpenAI client against the gateway: only its two environment variables are set.

OPENAI_BASE_URL=http://GATEWAY/v1 OPENAI_API_KEY=... python docs/examples/chat.py MODEL
"""

import sys

import openai


def main(model: str) -> None:
    """Show which models the key may ask for, a whole answer, and one that comes in pieces."""
    client = openai.OpenAI()
    print("models:", ", ".join(found.id for found in client.models.list()))

    question = "Say hello."
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": question}], max_tokens=24
    )
    print("answer:", answer.choices[0].message.content)
    if answer.usage:
        print("tokens:", answer.usage.prompt_tokens, "in,", answer.usage.completion_tokens, "out")

    print("stream:", end=" ")
    for chunk in client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        max_tokens=24,
        stream=True,
    ):
        if chunk.choices:  # the last piece has only the usage
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


if __name__ == "__main__":
    main(sys.argv[1])
