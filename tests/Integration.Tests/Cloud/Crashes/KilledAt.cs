namespace Integration.Tests.Cloud.Crashes;

/// <summary>The program's way to a provider, on which it is killed: at the n-th request, before that leaves or after it was carried out.</summary>
internal sealed class KilledAt(int n, bool carriedOut, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    /// <summary>Ends at the moment of the kill.</summary>
    public Task Killed => _killed.Task;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var last = Interlocked.Increment(ref _count) >= n;
        if (!last || carriedOut)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (!last)
            {
                return response;
            }

            response.Dispose();
        }

        _killed.TrySetResult();
        await Task.Delay(Timeout.Infinite, cancellationToken);   // nobody is left to hear the answer
        throw new InvalidOperationException("the dead heard an answer");
    }
}
