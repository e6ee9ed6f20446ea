import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Sends two requests by the client of the JDK, which offers HTTP/2 with each one, and prints the answers. */
class Ask {
  public static void main(String[] args) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    for (String body : new String[] {"first", "x".repeat(100_000)}) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(System.getenv("OPENAI_BASE_URL") + "/responses"))
              .header("Authorization", "Bearer " + System.getenv("OPENAI_API_KEY"))
              .POST(HttpRequest.BodyPublishers.ofString(body))
              .build();
      HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      System.out.println(answer.version() + " " + answer.statusCode() + " " + answer.body());
    }
  }
}
