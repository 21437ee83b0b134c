using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Common.Time;
using Microsoft.AspNetCore.Http;

namespace Lab.World;

/// <summary>
/// A stand-in for Twilio's Messages API on a loopback address: it keeps what it accepts, checks what the real one checks, and can be
/// made to fail as the real one fails. Contract: twilio-oai, api v2010.
/// </summary>
/// <example><code>
/// await using var gateway = await TwilioGateway.StartAsync(new TwilioAccount());
/// gateway.Behaviour = new GatewayBehaviour { LoseReplies = 1 };
/// </code></example>
public sealed class TwilioGateway : IAsyncDisposable
{
    private const string ApiRoot = "/2010-04-01/Accounts/";

    private readonly Lock _gate = new();
    private readonly TwilioAccount _account;
    private readonly TimeProvider _time;
    private readonly List<GatewayMessage> _messages = [];   // guarded by _gate, oldest first
    private readonly LoopbackWeb _web;
    private GatewayBehaviour _behaviour = new();            // guarded by _gate
    private int _requests;

    private TwilioGateway(TwilioAccount account, IPEndPoint at, TimeProvider time)
    {
        _web = new LoopbackWeb(at, AnswerAsync);
        _account = account;
        _time = time;
    }

    /// <summary>On the server's thread, after a message was stored and before it is answered. Must not block.</summary>
    public Action<GatewayMessage>? Received { get; set; }

    public IPEndPoint EndPoint => _web.EndPoint;

    public Uri BaseUrl => new($"http://{EndPoint}");

    public TwilioAccount Account => _account;

    /// <summary>Requests of any kind so far, refused ones too.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>How it behaves from now on. Setting it starts the counts in it anew.</summary>
    public GatewayBehaviour Behaviour
    {
        get
        {
            lock (_gate)
            {
                return _behaviour;
            }
        }

        set
        {
            lock (_gate)
            {
                _behaviour = value;
            }
        }
    }

    /// <summary>What was accepted, oldest first, each with its status as it is now.</summary>
    public ImmutableArray<GatewayMessage> Messages
    {
        get
        {
            lock (_gate)
            {
                return [.. _messages];
            }
        }
    }

    /// <param name="at">Null: 127.0.0.1 and a free port.</param>
    public static async Task<TwilioGateway> StartAsync(TwilioAccount account, IPEndPoint? at = null, TimeProvider? time = null)
    {
        var gateway = new TwilioGateway(account, at ?? new IPEndPoint(IPAddress.Loopback, 0), time ?? TimeProvider.System);
        await gateway.GoUpAsync();
        return gateway;
    }

    /// <summary>Connections are refused from now on; what was accepted stays.</summary>
    public Task GoDownAsync() => _web.GoDownAsync();

    /// <summary>Up again, on the same port.</summary>
    public Task GoUpAsync() => _web.GoUpAsync();

    /// <summary>Answers one request: for servers that bring their own TLS.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        var path = context.Request.Path.Value ?? "";
        if (path == "/received")
        {
            await WriteAsync(context, 200, ReceivedList());
        }
        else if (!IsAuthorised(context.Request))
        {
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"Twilio API\"";
            await WriteAsync(context, 401, Fault(20003, "Authenticate", 401));
        }
        else
        {
            await AnswerApiAsync(context, path);
        }
    }

    public ValueTask DisposeAsync() => new(GoDownAsync());

    private async Task AnswerApiAsync(HttpContext context, string path)
    {
        var messages = $"{ApiRoot}{_account.Sid}/Messages";
        var method = context.Request.Method;
        if (path == messages + ".json" && method == "POST")
        {
            await CreateAsync(context);
        }
        else if (await FailsAsync(context, Take(b => b.FailAsks, (b, n) => b with { FailAsks = n })))
        {
        }
        else if (path == messages + ".json" && method == "GET")
        {
            await WriteAsync(context, 200, Page(context.Request));
        }
        else if (path.StartsWith(messages + "/", StringComparison.Ordinal) && method == "GET" && Find(path[(messages.Length + 1)..]) is { } found)
        {
            await WriteAsync(context, 200, Resource(found));
        }
        else
        {
            await WriteAsync(context, 404, Fault(20404, $"The requested resource {path} was not found", 404));
        }
    }

    private async Task CreateAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
        {
            await WriteAsync(context, 415, Fault(20001, "Unsupported media type", 415));
            return;
        }

        var form = await context.Request.ReadFormAsync();
        if (await FailsAsync(context, Take(b => b.FailSends, (b, n) => b with { FailSends = n })))
        {
            return;
        }

        if (Complaint(form) is { } complaint)
        {
            await WriteAsync(context, 400, Fault(complaint.Code, complaint.Words, 400));
            return;
        }

        await AcceptAsync(context, form);
    }

    private async Task AcceptAsync(HttpContext context, IFormCollection form)
    {
        bool lose;
        GatewayMessage message;
        lock (_gate)
        {
            lose = _behaviour.LoseReplies > 0;
            _behaviour = _behaviour with { LoseReplies = Math.Max(0, _behaviour.LoseReplies - 1) };
            message = new GatewayMessage(
                $"SM{_messages.Count + 1:x32}", form["To"]!, form["From"].ToString() is { Length: > 0 } from ? from : form["MessagingServiceSid"]!, form["Body"]!, Instant.Now(_time), _time.GetUtcNow());
            _messages.Add(message);
        }

        Received?.Invoke(message);
        if (lose)
        {
            context.Abort();
            return;
        }

        await WriteAsync(context, 201, Resource(message));
    }

    /// <summary>What the real one refuses a message for, in the order in which it looks.</summary>
    private (int Code, string Words)? Complaint(IFormCollection form)
    {
        string to = form["To"].ToString(), from = form["From"].ToString(), service = form["MessagingServiceSid"].ToString(), body = form["Body"].ToString();
        return form switch
        {
            _ when to.Length == 0 => (21604, "A 'To' phone number is required."),
            _ when from.Length == 0 && service.Length == 0 => (21603, "A 'From' phone number is required."),
            _ when body.Length == 0 => (21602, "Message body is required."),
            _ when body.Length > 1600 => (21617, "The concatenated message body exceeds the 1600 character limit."),
            _ when !IsNumber(to) => (21211, $"The 'To' number {to} is not a valid phone number."),
            _ when to == from => (21266, "'To' and 'From' number cannot be the same."),
            _ when from.Length > 0 && from != _account.Number => (21659, $"'{from}' is not a Twilio phone number or Short Code country mismatch"),
            _ when form["ValidityPeriod"].ToString() is { Length: > 0 } v && !(int.TryParse(v, CultureInfo.InvariantCulture, out var s) && s is >= 1 and <= 36_000) =>
                (90007, "ValidityPeriod is invalid."),
            _ => null,
        };
    }

    private static bool IsNumber(string to) => to.Length is >= 8 and <= 16 && to[0] == '+' && to.Skip(1).All(char.IsAsciiDigit);

    private bool IsAuthorised(HttpRequest request)
    {
        var wanted = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_account.KeyName}:{_account.Secret}"));
        return request.Headers.Authorization.ToString() == "Basic " + wanted;
    }

    /// <summary>The next of the failures that were asked for, where there is one left.</summary>
    private GatewayFailure? Take(Func<GatewayBehaviour, ImmutableQueue<GatewayFailure>> queue, Func<GatewayBehaviour, ImmutableQueue<GatewayFailure>, GatewayBehaviour> with)
    {
        lock (_gate)
        {
            if (queue(_behaviour).IsEmpty)
            {
                return null;
            }

            _behaviour = with(_behaviour, queue(_behaviour).Dequeue(out var failure));
            return failure;
        }
    }

    private async Task<bool> FailsAsync(HttpContext context, GatewayFailure? failure)
    {
        if (Behaviour.AnswerDelay > TimeSpan.Zero)
        {
            await Task.Delay(Behaviour.AnswerDelay, _time, context.RequestAborted);
        }

        switch (failure)
        {
            case null:
                return false;
            case { Status: 0 }:
                context.Abort();
                return true;
            default:
                if (failure.RetryAfter is { } after)
                {
                    context.Response.Headers.RetryAfter = ((int)after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                }

                await WriteAsync(context, failure.Status, failure.Code == 0 ? null : Fault(failure.Code, "refused by the lab", failure.Status));
                return true;
        }
    }

    private GatewayMessage? Find(string file)
    {
        var sid = file.EndsWith(".json", StringComparison.Ordinal) ? file[..^5] : file;
        return Messages.FirstOrDefault(m => m.Sid == sid);
    }

    /// <summary>Newest first, as the real one lists.</summary>
    private JsonObject Page(HttpRequest request)
    {
        var size = Math.Clamp(int.TryParse(request.Query["PageSize"], CultureInfo.InvariantCulture, out var s) ? s : 50, 1, 1000);
        var page = int.TryParse(request.Query["Page"], CultureInfo.InvariantCulture, out var p) ? p : 0;
        string to = request.Query["To"].ToString(), from = request.Query["From"].ToString();
        var all = Messages.Reverse().Where(m => (to.Length == 0 || m.To == to) && (from.Length == 0 || m.From == from)).ToList();
        var query = $"{request.Path}?To={Uri.EscapeDataString(to)}&From={Uri.EscapeDataString(from)}&PageSize={size}";
        return new JsonObject
        {
            ["messages"] = new JsonArray([.. all.Skip(page * size).Take(size).Select(Resource)]),
            ["page"] = page,
            ["page_size"] = size,
            ["start"] = page * size,
            ["end"] = Math.Max(0, Math.Min(all.Count, (page + 1) * size) - 1),
            ["uri"] = $"{query}&Page={page}",
            ["first_page_uri"] = $"{query}&Page=0",
            ["next_page_uri"] = all.Count > (page + 1) * size ? $"{query}&Page={page + 1}" : null,
            ["previous_page_uri"] = page > 0 ? $"{query}&Page={page - 1}" : null,
        };
    }

    private JsonObject Resource(GatewayMessage message)
    {
        var (status, error) = Status(message);
        return new JsonObject
        {
            ["sid"] = message.Sid,
            ["account_sid"] = _account.Sid,
            ["api_version"] = "2010-04-01",
            ["to"] = message.To,
            ["from"] = message.From,
            ["body"] = Behaviour.BodyPrefix + message.Body,
            ["status"] = status,
            ["direction"] = "outbound-api",
            ["error_code"] = error,
            ["error_message"] = null,
            ["num_segments"] = "1",
            ["num_media"] = "0",
            ["price"] = null,
            ["price_unit"] = "USD",
            ["date_created"] = message.ReceivedAt.ToString("R", CultureInfo.InvariantCulture),
            ["date_updated"] = message.ReceivedAt.ToString("R", CultureInfo.InvariantCulture),
            ["date_sent"] = status is "queued" or "accepted" ? null : message.ReceivedAt.ToString("R", CultureInfo.InvariantCulture),
            ["messaging_service_sid"] = null,
            ["uri"] = $"{ApiRoot}{_account.Sid}/Messages/{message.Sid}.json",
            ["subresource_uris"] = new JsonObject(),
        };
    }

    private (string Status, int? Error) Status(GatewayMessage message)
    {
        var behaviour = Behaviour;
        var age = Instant.Now(_time) - message.At;
        return age switch
        {
            _ when age < behaviour.SendingAfter => ("queued", null),
            _ when age < behaviour.SentAfter => ("sending", null),
            _ when age < behaviour.DeliveredAfter => ("sent", null),
            _ when behaviour.UndeliveredCode is { } code => ("undelivered", code),
            _ => ("delivered", null),
        };
    }

    private JsonObject ReceivedList() => new()
    {
        ["messages"] = new JsonArray([.. Messages.Select(m => new JsonObject
        {
            ["sid"] = m.Sid,
            ["to"] = m.To,
            ["from"] = m.From,
            ["body"] = m.Body,
            ["status"] = Status(m).Status,
            ["t"] = Math.Round(TimeSpan.FromTicks(m.At.Ticks).TotalSeconds, 3),
        })]),
    };

    private static JsonObject Fault(int code, string words, int status) => new()
    {
        ["code"] = code,
        ["message"] = words,
        ["more_info"] = $"https://www.twilio.com/docs/errors/{code}",
        ["status"] = status,
    };

    private static async Task WriteAsync(HttpContext context, int status, JsonObject? body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json;charset=utf-8";
        await context.Response.WriteAsync(body?.ToJsonString() ?? "upstream connect error");
    }
}
