namespace Integration.Tests.Cloud.Making;

/// <summary>How a making is hurt.</summary>
public enum Blow
{
    None = 0,

    /// <summary>We die before it, which is after the one before.</summary>
    Before = 1,

    /// <summary>It is done, and the answer is lost; we live. For calls only.</summary>
    LoseReply = 2,
}

internal sealed class BeheadedException() : Exception("killed by the test");

/// <summary>Counts the moments at which a making touches the world, and strikes at one of them. Who is dead does nothing more.</summary>
internal sealed class Guillotine(Blow blow, int at)
{
    private int _moments;

    public bool Fell { get; private set; }

    public async Task<T> PassAsync<T>(bool isCall, Func<Task<T>> act)
    {
        var strikes = Strikes();
        var result = await act();
        return strikes && isCall ? throw new HttpRequestException(HttpRequestError.ResponseEnded, "the answer is lost") : result;
    }

    public void Pass(Action act)
    {
        Strikes();
        act();
    }

    /// <returns>True: the answer is to be lost.</returns>
    private bool Strikes()
    {
        var strikes = blow != Blow.None && ++_moments == at;
        Fell |= strikes;
        return Fell && blow == Blow.Before ? throw new BeheadedException() : strikes;
    }
}

/// <summary>Between the program and a provider. An answer to a GET is not lost: the client repeats it by itself, after a rest.</summary>
internal sealed class GuillotineHandler(Guillotine guillotine, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => guillotine.PassAsync(isCall: request.Method != HttpMethod.Get, async () =>
    {
        var response = await base.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        return response;
    });
}
