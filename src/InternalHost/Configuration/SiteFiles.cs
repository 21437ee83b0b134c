using System.Collections.Immutable;
using Common.Alerts.Settings;
using Common.Configuration;

namespace InternalHost.Configuration;

/// <summary>The second half of reading: the files that the configuration names must be there, private, and what they should be.</summary>
internal sealed class SiteFiles(SiteDraft draft, ConfigurationNode.Map file, ConfigurationErrors errors)
{
    private const int MaxKeyFile = 64 * 1024;

    /// <summary>The machine is not made yet: nor need be its pins, the tunnel's key and the secrets.</summary>
    public bool BeforeMaking { get; init; }

    public SiteOptions Resolve()
    {
        var options = draft.Options;
        if (SecretFiles.CheckKey(options.Bastion.KeyFile) is { } problem && !(BeforeMaking && !File.Exists(options.Bastion.KeyFile)))
        {
            Fail("bastion.key", options.Bastion.KeyFile, problem);
        }

        CheckAuthorities(options);
        return options with
        {
            Bastion = options.Bastion with
            {
                HostKeys = HostKeys(options.Bastion.HostKeys),
                HostKeyFiles = [.. options.Bastion.HostKeys.Where(k => k.StartsWith('/'))],
                Dns = options.Bastion.Dns is { } dns ? dns with { SecretFile = Secret(draft.Options.Bastion.Api?.SecretFile == dns.SecretFile ? "bastion.secret" : "bastion.dns.secret", dns.SecretFile) } : null,
                Api = options.Bastion.Api is { } api ? api with { SecretFile = Secret("bastion.secret", api.SecretFile) } : null,
            },
            Messages = options.Messages with
            {
                Sms = options.Messages.Sms is { } sms ? sms with { SecretFile = Secret("messages.sms.secret", sms.SecretFile) ?? "" } : null,
                Mail = options.Messages.Mail is { } mail ? Resolved(mail) : null,
                Channels = options.Messages.Channels with
                {
                    Telegram = options.Messages.Channels.Telegram is { } telegram ? Resolved(telegram) : null,
                    Webhook = options.Messages.Channels.Webhook is { } webhook ? Resolved(webhook) : null,
                },
            },
        };
    }

    private ImmutableArray<string> HostKeys(ImmutableArray<string> entries) =>
        [.. entries.SelectMany(entry => entry.StartsWith('/') ? KeysOf(entry) : [entry]).Distinct(StringComparer.Ordinal)];

    private List<string> KeysOf(string path)
    {
        if (BeforeMaking && !File.Exists(path))
        {
            return [];
        }

        var keys = ReadLines(path, "bastion.host_keys").Select(PersonalValues.PublicKey).ToList();
        if (keys.FirstOrDefault(k => k.Problem is not null).Problem is { } problem)
        {
            Fail("bastion.host_keys", path, $"{path}: a line {problem}");
        }
        else if (keys.Count == 0 && File.Exists(path))
        {
            Fail("bastion.host_keys", path, $"{path} holds no key");
        }

        return [.. keys.Where(k => k.Problem is null).Select(k => k.Value!)];
    }

    private TelegramSettings Resolved(TelegramSettings telegram) => telegram with
    {
        Gateway = telegram.Gateway with { SecretFile = Secret("messages.telegram.secret", telegram.Gateway.SecretFile) ?? "" },
    };

    private MailSettings Resolved(MailSettings mail) =>
        mail with { Gateway = mail.Gateway with { SecretFile = Secret("messages.mail.secret", mail.Gateway.SecretFile) } };

    private WebhookSettings Resolved(WebhookSettings webhook) => webhook with
    {
        Gateway = webhook.Gateway with
        {
            AddressFile = Secret("messages.webhook.secret", webhook.Gateway.AddressFile),
            TokenFile = Secret("messages.webhook.token", webhook.Gateway.TokenFile),
            SigningFile = Secret("messages.webhook.sign", webhook.Gateway.SigningFile),
            KeyFile = Secret("messages.webhook.key", webhook.Gateway.KeyFile),
        },
    };

    /// <summary>The file of the secret that is named there.</summary>
    private string? Secret(string key, string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }

        var found = SecretFiles.Find(name, draft.SecretsDirectory);
        if (found.Problem is { } problem && !BeforeMaking)
        {
            Fail(key, name, problem);
        }

        return found.Value;
    }

    private void CheckAuthorities(SiteOptions options)
    {
        foreach (var (key, path) in new[]
        {
            ("messages.sms.ca", options.Messages.Sms?.CaFile),
            ("messages.telegram.ca", options.Messages.Channels.Telegram?.CaFile),
            ("messages.webhook.ca", options.Messages.Channels.Webhook?.CaFile),
            ("messages.mail.ca", options.Messages.Mail?.Gateway.CaFile),
            ("witnesses.tls_a.ca", options.Witnesses.TlsA.CaFile),
            ("witnesses.tls_b.ca", options.Witnesses.TlsB.CaFile),
        })
        {
            if (path is not null && !ReadLines(path, key).Any(l => l.Contains("BEGIN CERTIFICATE", StringComparison.Ordinal)) && File.Exists(path))
            {
                Fail(key, path, $"{path} holds no certificate (PEM)");
            }
        }
    }

    private List<string> ReadLines(string path, string key)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxKeyFile })
            {
                Fail(key, path, $"{path} is too large to be this");
                return [];
            }

            return [.. File.ReadAllLines(path).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#')];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(key, path, File.Exists(path) ? $"{path} may not be read by this user" : $"{path} is not there, or this user may not see it");
            return [];
        }
    }

    private void Fail(string key, string value, string reason) => errors.Add(key, value, reason, file.LineOf(key));
}
