import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sts.StsClient;

/** Calls STS and S3 by the SDK for Java for LASTS ms, and prints how many calls there were, and which failed. */
class Clients {
  public static void main(String[] args) throws InterruptedException {
    URI endpoint = URI.create(System.getenv("AWS_ENDPOINT_URL"));
    StsClient sts = StsClient.builder().endpointOverride(endpoint).httpClient(UrlConnectionHttpClient.create())
        .overrideConfiguration(c -> c.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();
    S3Client s3 = S3Client.builder().endpointOverride(endpoint).httpClient(UrlConnectionHttpClient.create())
        .overrideConfiguration(c -> c.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();
    long end = System.currentTimeMillis() + Long.parseLong(System.getenv("LASTS"));
    List<Runnable> each = List.of(() -> sts.getCallerIdentity(), () -> s3.listBuckets());
    List<String> failed = new ArrayList<>();
    int calls = 0;
    while (System.currentTimeMillis() < end) {
      for (Runnable call : each) {
        calls++;
        try {
          call.run();
        } catch (RuntimeException error) {
          failed.add("\"" + error.getMessage().replaceAll("[\\\\\"\n]", " ") + "\"");
        }
      }
      Thread.sleep(250);
    }
    System.out.println("{\"calls\":" + calls + ",\"failed\":[" + String.join(",", failed) + "]}");
  }
}
