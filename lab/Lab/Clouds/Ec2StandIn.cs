using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Lab.World;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Lab.Clouds;

/// <summary>
/// A stand-in for EC2 on a loopback address: one account in one region, with state. It does what the real one is known to do and other
/// stand-ins do not: a repeated client token makes nothing, states take their time, pictures are old, there is no room, replies are lost.
/// Signatures are checked. It counts its machines.
/// </summary>
/// <example><code>
/// await using var ec2 = await Ec2StandIn.StartAsync();
/// var id = ec2.Make("home");
/// ec2.Trouble("StartInstances", new CloudTrouble.LoseReply());
/// </code></example>
public sealed class Ec2StandIn : IAsyncDisposable
{
    public const string KeyId = "AKIALABLABLABLABLAB0";
    public const string Secret = "lab/secret+with=signs";
    public const string SiteTag = "bastion:site";

    private readonly CloudTroubles _troubles = new();
    private readonly LoopbackWeb _web;
    private readonly Ec2Account _account;
    private readonly Ec2Things _things;
    private readonly IamUsers _users;
    private readonly Ec2Actions _actions;
    private readonly TimeProvider _time;
    private volatile Ec2Behaviour _behaviour = new();

    private Ec2StandIn(IPEndPoint at, TimeProvider time)
    {
        _time = time;
        _web = new LoopbackWeb(at, AnswerAsync);
        _account = new Ec2Account(() => _behaviour, time, machine => Changed?.Invoke(machine));
        _things = new Ec2Things(_account, () => _behaviour);
        _users = new IamUsers(Keys);
        _actions = new Ec2Actions(_account, _things, _users, () => _behaviour);
        Keys.Add(KeyId, Secret);
    }

    /// <summary>After each change of a machine, on whatever thread made it: here a real sshd can be started and stopped. Must not block.</summary>
    public Action<Ec2Machine>? Changed { get; set; }

    public IPEndPoint EndPoint => _web.EndPoint;

    public Uri Url => new($"http://{EndPoint}/");

    /// <summary>Whose requests are taken.</summary>
    public SignatureV4 Keys { get; } = new();

    public Ec2Behaviour Behaviour
    {
        get => _behaviour;
        set => _behaviour = value;
    }

    /// <summary>Every request so far, oldest first.</summary>
    public ConcurrentQueue<Ec2Request> Requests { get; } = new();

    /// <summary>As they really are.</summary>
    public ImmutableArray<Ec2Machine> Machines => _account.Machines;

    public ImmutableArray<LabGroup> Groups => _things.Groups;

    public ImmutableArray<LabKeyPair> KeyPairs => _things.KeyPairs;

    public ImmutableArray<LabVolume> Volumes => _things.Volumes;

    public ImmutableArray<LabAddress> Addresses => _things.Addresses;

    public ImmutableArray<LabUser> Users => _users.Users;

    /// <summary>A volume of the site's that no machine has.</summary>
    public void AddVolume(string site) => _things.AddVolume(site);

    /// <summary>Ever made.</summary>
    public int Made => _account.Made;

    /// <summary>At the same moment.</summary>
    public int MostRunning => _account.MostRunning;

    /// <param name="at">Null: 127.0.0.1 and a free port.</param>
    public static async Task<Ec2StandIn> StartAsync(IPEndPoint? at = null, TimeProvider? time = null)
    {
        var standIn = new Ec2StandIn(at ?? new IPEndPoint(IPAddress.Loopback, 0), time ?? TimeProvider.System);
        await standIn.GoUpAsync();
        return standIn;
    }

    /// <summary>A machine of that site, made by its owner, and stopped: its id.</summary>
    public string Make(string site, string type = "t3.nano", string state = "stopped")
    {
        var calm = _behaviour;
        _behaviour = calm with { PendingFor = TimeSpan.Zero, NoRoomFor = [] };
        var id = _account.Run(i => new Ec2Machine(i, "pending", type, "ami-0", default, ImmutableSortedDictionary<string, string>.Empty.Add(SiteTag, site)), null).Id;
        _behaviour = calm;
        if (state == "stopped")
        {
            Wait(id, "running");
            _account.Stop(id, "Client.UserInitiatedShutdown");
        }

        Wait(id, state);
        return id;
    }

    public Ec2Machine Machine(string id) => Machines.First(m => m.Id == id);

    /// <summary>Somebody presses Start in the provider's app.</summary>
    public void StartByOwner(string id) => _account.Start(id);

    public void StopByOwner(string id) => _account.Stop(id, "Client.UserInitiatedShutdown");

    /// <summary><c>poweroff</c> on the machine.</summary>
    public void ShutDownFromInside(string id) => _account.Stop(id, "Client.InstanceInitiatedShutdown");

    public void Terminate(string id) => _account.Terminate(id);

    /// <summary>What the next requests for that action meet, one each.</summary>
    public void Trouble(string action, params ReadOnlySpan<CloudTrouble> troubles) => _troubles.Add(action, troubles);

    public int Count(string action) => Requests.Count(r => r.Action == action);

    /// <summary>Connections are refused from now on; machines stay as they are.</summary>
    public Task GoDownAsync() => _web.GoDownAsync();

    public Task GoUpAsync() => _web.GoUpAsync();

    /// <summary>Answers one request: for servers that bring their own TLS.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        var all = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body)).ToImmutableSortedDictionary(p => p.Key, p => p.Value.ToString(), StringComparer.Ordinal);
        var action = all.GetValueOrDefault("Action", "");
        var parameters = all.RemoveRange(["Action", "Version"]);
        await AnswerAsync(context, action, parameters, body, _troubles.Next(action));
    }

    public ValueTask DisposeAsync() => new(GoDownAsync());

    private async Task AnswerAsync(HttpContext context, string action, ImmutableSortedDictionary<string, string> parameters, byte[] body, CloudTrouble? trouble)
    {
        if (trouble is CloudTrouble.LoseRequest)
        {
            context.Abort();
        }
        else if (trouble is CloudTrouble.Page page)
        {
            await WriteAsync(context, page.Status, CloudTroubles.Portal, "text/html", page.Location);
        }
        else
        {
            var (status, answer, error) = Do(context.Request, action, parameters, body, trouble as CloudTrouble.Error);
            Requests.Enqueue(new Ec2Request(action, parameters, error, context.Connection.RemoteIpAddress));
            await SendAsync(context, status, answer.ToString(SaveOptions.DisableFormatting), trouble);
        }
    }

    private (int Status, XElement Answer, string? Error) Do(
        HttpRequest request, string action, ImmutableSortedDictionary<string, string> parameters, byte[] body, CloudTrouble.Error? error)
    {
        try
        {
            Keys.Check(request, body, _time.GetUtcNow() + _behaviour.ClockError);
            if (error is not null)
            {
                throw new Ec2Refusal(error.Code, error.Message, error.Status);
            }

            return (200, action == "AssumeRole" ? Session() : Permitted(action, parameters), null);
        }
        catch (Ec2Refusal e)
        {
            return (e.Status, Ec2Answer.Error(e.Code, e.Message), e.Code);
        }
    }

    private XElement Permitted(string action, ImmutableSortedDictionary<string, string> parameters)
    {
        if (_behaviour.Allowed is { } allowed && !allowed.Contains(action))
        {
            throw new Ec2Refusal("UnauthorizedOperation", "You are not authorized to perform this operation.", 403);
        }

        return parameters.GetValueOrDefault("DryRun") == "true"
            ? throw new Ec2Refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
            : _actions.Do(action, parameters);
    }

    private XElement Session()
    {
        var (keyId, secret, token) = ("ASIALABLABLABLABLAB0", Convert.ToHexString(RandomNumberGenerator.GetBytes(20)), Convert.ToHexString(RandomNumberGenerator.GetBytes(40)));
        Keys.Add(keyId, secret, token);
        return Ec2Answer.Session(keyId, secret, token, _time.GetUtcNow().AddHours(1));
    }

    private async Task SendAsync(HttpContext context, int status, string xml, CloudTrouble? trouble)
    {
        if (!await CloudTroubles.CutAsync(context, trouble, xml, _time))
        {
            await WriteAsync(context, status, xml, "text/xml;charset=UTF-8", null);
        }
    }

    private async Task WriteAsync(HttpContext context, int status, string text, string type, string? location)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.Headers.Date = _behaviour.HidesItsClock ? "" : (_time.GetUtcNow() + _behaviour.ClockError).ToString("R", CultureInfo.InvariantCulture);
        if (_behaviour.ClosesConnections)
        {
            context.Response.Headers.Connection = "close";
        }

        if (location is not null)
        {
            context.Response.Headers.Location = location;
        }

        await context.Response.WriteAsync(text);
    }

    private void Wait(string id, string state)
    {
        if (!SpinWait.SpinUntil(() => Machine(id).State == state, TimeSpan.FromSeconds(60)))
        {
            throw new TimeoutException($"{id} did not come to be {state}");
        }
    }
}
