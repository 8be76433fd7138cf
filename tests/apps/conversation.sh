#!/bin/sh
# The conversation of conversation.py with curl: a thread, three messages, pages of a list, and one mistake.
# Needs OPENAI_BASE_URL and OPENAI_API_KEY, like the official client.
set -eu

api() {
  method=$1 path=$2
  shift 2
  curl --silent --show-error --request "$method" "$OPENAI_BASE_URL/$path" --header "Authorization: Bearer $OPENAI_API_KEY" \
    --header "OpenAI-Beta: assistants=v2" --header "Content-Type: application/json" "$@" \
    --write-out '%{http_code} %{content_type}\n'
}

# The value of a field of the answer on standard input, which is printed in lines.
field() { sed -n "s/^  \"$1\": \"\([^\"]*\)\".*/\1/p"; }

created=$(api POST threads --data '{}')
thread=$(printf '%s\n' "$created" | field id)
printf '%s\n' "$created"
for message in \
  '{"role": "user", "content": "How does AI work?\nExplain it in simple terms."}' \
  '{"role": "user", "content": [{"type": "text", "text": "What is on this picture?"}, {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}}]}' \
  '{"role": "user", "content": "See the file — à propos…", "attachments": [{"file_id": "file-BK7bzQj3FfZFXr7DbL6xJwfo", "tools": [{"type": "file_search"}]}], "metadata": {"run": "7", "lang": "fr"}}'
do
  api POST "threads/$thread/messages" --data-binary "$message"
done
page=$(api GET "threads/$thread/messages?limit=2&order=asc")
printf '%s\n' "$page"
api GET "threads/$thread/messages?limit=2&order=asc&after=$(printf '%s\n' "$page" | field last_id)"
api POST "threads/$thread/messages" --data '{"role": "human", "content": "hello"}'
