using System.Text.Json;
using Common.Alerts;
using Common.Alerts.Sms;
using Integration.Tests.Contracts;
using Lab.World;

namespace Integration.Tests.Alerts;

/// <summary>Runs where Twilio's OpenAPI description is at hand.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TwilioContractFactAttribute : FactAttribute
{
    public TwilioContractFactAttribute() => Skip = OfficialDescription.Missing(OfficialDescription.Twilio);
}

/// <summary>Client and stand-in use the words of the official description.</summary>
public sealed class TwilioContractTests
{
    private const string MessagesPath = "/2010-04-01/Accounts/{AccountSid}/Messages.json";

    [TwilioContractFact]
    public async Task What_we_send_and_what_the_stand_in_answers_is_in_the_description()
    {
        using var spec = JsonDocument.Parse(await File.ReadAllBytesAsync(OfficialDescription.Find(OfficialDescription.Twilio)!));
        var create = spec.RootElement.GetProperty("paths").GetProperty(MessagesPath).GetProperty("post");
        var list = spec.RootElement.GetProperty("paths").GetProperty(MessagesPath).GetProperty("get");
        var (sent, asked, answered, page) = await TalkAsync();

        var fields = create.GetProperty("requestBody").GetProperty("content").GetProperty("application/x-www-form-urlencoded").GetProperty("schema").GetProperty("properties");
        Assert.All(sent, name => Assert.True(fields.TryGetProperty(name, out _), name));

        var parameters = list.GetProperty("parameters").EnumerateArray().Select(p => p.GetProperty("name").GetString()).ToList();
        Assert.All(asked, name => Assert.Contains(name, parameters));

        var message = spec.RootElement.GetProperty("components").GetProperty("schemas").GetProperty("api.v2010.account.message").GetProperty("properties");
        Assert.All(answered, name => Assert.True(message.TryGetProperty(name, out _), name));

        var pageFields = list.GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("properties");
        Assert.All(page, name => Assert.True(pageFields.TryGetProperty(name, out _), name));
    }

    /// <summary>The names of form fields, query parameters, message and page properties that really cross the wire.</summary>
    private static async Task<(List<string> Sent, List<string> Asked, List<string> Answered, List<string> Page)> TalkAsync()
    {
        var folder = Directory.CreateTempSubdirectory("contract");
        try
        {
            var secret = Path.Combine(folder.FullName, "secret");
            await using var gateway = await TwilioGateway.StartAsync(new TwilioAccount());
            await File.WriteAllTextAsync(secret, gateway.Account.Secret);
            using var recorder = new Recorder();
            using var http = new HttpClient(recorder);
            var sms = new TwilioSms(() => http, new TwilioOptions(gateway.BaseUrl, gateway.Account.Sid, gateway.Account.KeyName, secret, gateway.Account.Number), TimeProvider.System);
            var message = new OutgoingMessage("7F3K", "+15550100001", "x #7F3K");
            var sid = ((SendOutcome.Accepted)await sms.SendAsync(message, CancellationToken.None)).ProviderId;
            Assert.Equal(sid, await sms.FindAsync(message, CancellationToken.None));
            return (recorder.Sent, recorder.Asked, Names(recorder.Answers[0]), Names(recorder.Answers[1]));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<string> Names(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateObject().Select(p => p.Name)];
    }

    private sealed class Recorder() : DelegatingHandler(new SocketsHttpHandler())
    {
        public List<string> Sent { get; } = [];

        public List<string> Asked { get; } = [];

        public List<string> Answers { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var form = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
            Sent.AddRange(Keys(form));
            Asked.AddRange(Keys(request.RequestUri!.Query.TrimStart('?')));
            var response = await base.SendAsync(request, cancellationToken);
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            Answers.Add(await response.Content.ReadAsStringAsync(cancellationToken));
            return response;
        }

        private static IEnumerable<string> Keys(string encoded) =>
            encoded.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => Uri.UnescapeDataString(pair.Split('=')[0]));
    }
}
