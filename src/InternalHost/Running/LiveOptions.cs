using Common.Alerts.Settings;
using InternalHost.Cloud;
using InternalHost.Configuration;
using InternalHost.Failover;

namespace InternalHost.Running;

/// <summary>The configuration in force. A reload replaces what can be replaced without dropping the tunnel.</summary>
internal sealed class LiveOptions(SiteOptions options, Lifecycle lifecycle)
{
    private volatile SiteOptions _options = options;

    public SiteOptions Now => _options;

    public FailoverPolicy Policy
    {
        get
        {
            var now = _options;
            var policy = new FailoverPolicy(now.Outage.TellAfter, now.Outage.StopAfter, now.Outage.MaxUptime, lifecycle, now.Bastion.AgentPort is not null);
            // In wirings C and D all that we ask goes by the metered backup.
            return now.Primary.Carries ? policy : policy with { SummonEvery = policy.SummonEveryOverBackup };
        }
    }

    /// <summary>Takes over what may change while running. The keys that need a restart to count.</summary>
    public IReadOnlyList<string> Replace(SiteOptions wanted)
    {
        var now = _options;
        _options = now with
        {
            Outage = wanted.Outage,
            Services = wanted.Services,
            People = wanted.People,
            Messages = Messages(now.Messages, wanted.Messages),
            Allow = wanted.Allow,
            Bastion = now.Bastion with { HostKeys = wanted.Bastion.HostKeys, HostKeyFiles = wanted.Bastion.HostKeyFiles },
        };
        return [.. NeedRestart(now, wanted)];
    }

    /// <summary>Who is told may change; by whom we tell needs a restart.</summary>
    private static MessageOptions Messages(MessageOptions now, MessageOptions wanted) => now with
    {
        InnerUser = wanted.InnerUser,
        Mail = wanted.Mail,
        BastionOrder = wanted.BastionOrder,
        Sms = now.Sms is { } sms && wanted.Sms is { } other ? sms with { To = other.To } : now.Sms,
    };

    private static IEnumerable<string> NeedRestart(SiteOptions now, SiteOptions wanted)
    {
        if (now.Site != wanted.Site)
        {
            yield return "site";
        }

        if (now.StateDirectory != wanted.StateDirectory || now.RuntimeDirectory != wanted.RuntimeDirectory)
        {
            yield return "state_directory, runtime_directory";
        }

        if (now.RecordBytes != wanted.RecordBytes)
        {
            yield return "record";
        }

        if (now.Logins != wanted.Logins)
        {
            yield return "logins";
        }

        if (now.Primary != wanted.Primary || now.Backup != wanted.Backup)
        {
            yield return "uplinks";
        }

        if (!Same(now.Bastion, wanted.Bastion))
        {
            yield return "bastion";
        }

        if (now.Outage.ConfirmAfter != wanted.Outage.ConfirmAfter || now.Outage.RecoverAfter != wanted.Outage.RecoverAfter)
        {
            yield return "outage.confirm_after, outage.recover_after";
        }

        if (Gateway(now.Messages.Sms) != Gateway(wanted.Messages.Sms))
        {
            yield return "messages.sms";
        }

        if (!Same(now.Messages.Channels, wanted.Messages.Channels))
        {
            yield return "messages";
        }

        if (now.Witnesses != wanted.Witnesses)
        {
            yield return "witnesses";
        }
    }

    private static SmsOptions? Gateway(SmsOptions? sms) => sms is null ? null : sms with { To = [] };

    private static bool Same(ChannelSettings a, ChannelSettings b) => a.Order.SequenceEqual(b.Order) && a with { Order = b.Order } == b;

    private static bool Same(BastionOptions a, BastionOptions b) =>
        a.Ports.SequenceEqual(b.Ports) && a with { Ports = b.Ports, HostKeys = b.HostKeys, HostKeyFiles = b.HostKeyFiles } == b;
}
