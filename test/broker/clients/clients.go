// Makes a call, a stream and a call that fails with an official client, as its documentation has them. Key and address come
// from the environment alone. Prints what the client got: `clients MODULE`.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
)

type seen struct {
	Call   string   `json:"call"`
	Stream []string `json:"stream"`
	Error  int      `json:"error"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func askOpenAI(ctx context.Context) (result seen) {
	client := openai.NewClient()
	params := func(model string) openai.ChatCompletionNewParams {
		messages := []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hello")}
		return openai.ChatCompletionNewParams{Model: model, Messages: messages}
	}
	answer, err := client.Chat.Completions.New(ctx, params("good"))
	check(err)
	result.Call = answer.Choices[0].Message.Content
	stream := client.Chat.Completions.NewStreaming(ctx, params("good"))
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			if choice.Delta.Content != "" {
				result.Stream = append(result.Stream, choice.Delta.Content)
			}
		}
	}
	check(stream.Err())
	_, err = client.Chat.Completions.New(ctx, params("broken"))
	var failure *openai.Error
	if errors.As(err, &failure) {
		result.Error = failure.StatusCode
	}
	return result
}

func askAnthropic(ctx context.Context) (result seen) {
	client := anthropic.NewClient()
	params := func(model string) anthropic.MessageNewParams {
		messages := []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hello"))}
		return anthropic.MessageNewParams{Model: model, MaxTokens: 16, Messages: messages}
	}
	answer, err := client.Messages.New(ctx, params("good"))
	check(err)
	result.Call = answer.Content[0].Text
	stream := client.Messages.NewStreaming(ctx, params("good"))
	for stream.Next() {
		if text := stream.Current().Delta.Text; text != "" {
			result.Stream = append(result.Stream, text)
		}
	}
	check(stream.Err())
	_, err = client.Messages.New(ctx, params("broken"))
	var failure *anthropic.Error
	if errors.As(err, &failure) {
		result.Error = failure.StatusCode
	}
	return result
}

func main() {
	clients := map[string]func(context.Context) seen{
		"github.com/openai/openai-go/v3":         askOpenAI,
		"github.com/anthropics/anthropic-sdk-go": askAnthropic,
	}
	check(json.NewEncoder(os.Stdout).Encode(clients[os.Args[1]](context.Background())))
}
