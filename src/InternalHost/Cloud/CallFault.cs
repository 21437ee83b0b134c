namespace InternalHost.Cloud;

/// <summary>How far a failed call came.</summary>
public enum CallFault
{
    Unknown = 0,

    /// <summary>The provider answered with an error of its own.</summary>
    Refused = 1,

    /// <summary>Nothing was sent: no connection, no name, no TLS.</summary>
    Unreachable = 2,

    /// <summary>It was sent, and no whole answer came: it may have been carried out.</summary>
    LostReply = 3,

    /// <summary>Somebody answered who is not the provider: a portal, a proxy.</summary>
    Stranger = 4,

    /// <summary>There is nothing to prove ourselves with: no key or token was found, or it cannot be read.</summary>
    NoCredential = 5,
}

internal static class NoAnswer
{
    /// <summary>Whether it can have been carried out.</summary>
    public static CallFault Fault(HttpRequestException e) => e.HttpRequestError
        is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError
        ? CallFault.Unreachable
        : CallFault.LostReply;
}
