using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Integration.Tests.Contracts;

/// <summary>The way to a Prism. An answer that is Prism's own says that request or reply were not as described, and ends the test.</summary>
/// <param name="expected">Violations are wanted, and only counted.</param>
internal sealed class ContractWatch(bool expected = false) : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false })
{
    private readonly ConcurrentQueue<string> _violations = new();

    public ImmutableArray<string> Violations => [.. _violations];

    public int Calls { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        Calls++;
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json" || response.Headers.Contains("sl-violations"))
        {
            var violation = $"{request.Method} {request.RequestUri!.PathAndQuery}: {await response.Content.ReadAsStringAsync(cancellationToken)}";
            _violations.Enqueue(violation);
            if (!expected)
            {
                throw new InvalidOperationException("not as described: " + violation);
            }
        }

        return response;
    }
}
