using System.Collections.Immutable;
using System.Net;

namespace Lab.Clouds;

/// <summary>One instance of the stand-in as it is at one moment.</summary>
/// <param name="State">pending, running, stopping, stopped, shutting-down, terminated.</param>
/// <param name="Addresses">Public, both families; only while it runs, and others at each start.</param>
public sealed record Ec2Machine(string Id, string State, string Type, string Image, DateTimeOffset LaunchTime, ImmutableSortedDictionary<string, string> Tags)
{
    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    public string? StateReason { get; init; }

    public string? ClientToken { get; init; }

    public string? KeyName { get; init; }

    public string? UserData { get; init; }

    public ImmutableArray<string> GroupIds { get; init; } = [];

    /// <summary>The parameters it was made with.</summary>
    public ImmutableSortedDictionary<string, string> MadeWith { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public bool IsGone => State is "shutting-down" or "terminated";

    /// <summary>It is paid for by the second.</summary>
    public bool Runs => State is "pending" or "running" or "stopping";
}

/// <summary>How the stand-in behaves from now on.</summary>
public sealed record Ec2Behaviour
{
    public TimeSpan PendingFor { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan StoppingFor { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>What is described is so old; what is younger is not found.</summary>
    public TimeSpan Lag { get; init; }

    /// <summary>Types for which there is no room.</summary>
    public ImmutableHashSet<string> NoRoomFor { get; init; } = [];

    /// <summary>The actions that the key may call; null: all of them.</summary>
    public ImmutableHashSet<string>? Allowed { get; init; }

    /// <summary>Without one nothing can be made unless its network is named.</summary>
    public bool HasDefaultNetwork { get; init; } = true;

    /// <summary>Added to the server's clock.</summary>
    public TimeSpan ClockError { get; init; }

    /// <summary>Nobody checks its clock against ours: the answer has no Date.</summary>
    public bool HidesItsClock { get; init; }

    /// <summary>After each answer the connection is closed: a client cannot take the next failure for an old connection's end, and repeat by itself.</summary>
    public bool ClosesConnections { get; init; }

    /// <summary>So many instances to a page.</summary>
    public int PageSize { get; init; } = 1000;

    /// <summary>The public addresses of the n-th start.</summary>
    public Func<int, ImmutableArray<IPAddress>> AddressesOf { get; init; } = n => [IPAddress.Parse($"203.0.113.{1 + (n % 250)}"), IPAddress.Parse($"2001:db8::{n:x}")];

    public Func<Ec2Machine, string?> ConsoleOf { get; init; } = _ => null;
}

/// <summary>A request as it came, and what was said to it.</summary>
/// <param name="Error">EC2's code; null: it was done.</param>
public sealed record Ec2Request(string Action, ImmutableSortedDictionary<string, string> Parameters, string? Error, IPAddress? From);

/// <summary>EC2 refuses.</summary>
internal sealed class Ec2Refusal(string code, string message, int status = 400) : Exception(message)
{
    public string Code { get; } = code;

    public int Status { get; } = status;
}
