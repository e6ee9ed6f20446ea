import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.errors.AnthropicServiceException;
import com.anthropic.models.messages.MessageCreateParams;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.OpenAIServiceException;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Makes a call, a stream and a call that fails with an official client, as its documentation has them. Key and address come
 * from the environment alone. Prints what the client got: {@code java Clients.java ARTIFACT}.
 */
class Clients {
  public static void main(String[] args) {
    System.out.println(args[0].startsWith("com.openai") ? openai() : anthropic());
    // Idle connections keep their threads.
    System.exit(0);
  }

  private static String seen(String call, List<String> stream, int error) {
    String pieces = stream.stream().map(piece -> '"' + piece + '"').collect(Collectors.joining(","));
    return String.format("{\"call\":\"%s\",\"stream\":[%s],\"error\":%d}", call, pieces, error);
  }

  private static String openai() {
    var client = OpenAIOkHttpClient.fromEnv();
    var good = ChatCompletionCreateParams.builder().model("good").addUserMessage("hello").build();
    var call = client.chat().completions().create(good).choices().get(0).message().content().orElse("");
    List<String> pieces;
    try (var stream = client.chat().completions().createStreaming(good)) {
      pieces =
          stream.stream()
              .flatMap(chunk -> chunk.choices().stream())
              .flatMap(choice -> choice.delta().content().stream())
              .collect(Collectors.toList());
    }
    int error = 0;
    try {
      client.chat().completions().create(good.toBuilder().model("broken").build());
    } catch (OpenAIServiceException failure) {
      error = failure.statusCode();
    }
    return seen(call, pieces, error);
  }

  private static String anthropic() {
    var client = AnthropicOkHttpClient.fromEnv();
    var good = MessageCreateParams.builder().model("good").maxTokens(16).addUserMessage("hello").build();
    var call = client.messages().create(good).content().get(0).text().orElseThrow().text();
    List<String> pieces;
    try (var stream = client.messages().createStreaming(good)) {
      pieces =
          stream.stream()
              .flatMap(event -> event.contentBlockDelta().stream())
              .flatMap(event -> event.delta().text().stream())
              .map(text -> text.text())
              .collect(Collectors.toList());
    }
    int error = 0;
    try {
      client.messages().create(good.toBuilder().model("broken").build());
    } catch (AnthropicServiceException failure) {
      error = failure.statusCode();
    }
    return seen(call, pieces, error);
  }
}
