using System.Collections.Immutable;
using System.Text;

namespace Common.Alerts.Webhook;

/// <summary>How a service wants to be told: the body, how long a text may be, and what in a text it would read as markup.</summary>
/// <param name="Escape">Takes the markup out of a text that is safe already.</param>
/// <param name="TopicFromPath">The last part of the address's path is a field of the body (ntfy).</param>
/// <param name="NeedsKey">The body holds a key (PagerDuty's routing key).</param>
public sealed record WebhookShape(string Name, WebhookTemplate Template, int LongestText, Func<string, string> Escape, bool TopicFromPath = false, bool NeedsKey = false)
{
    private const int Plenty = 4096;

    /// <summary>https://docs.ntfy.sh/publish/#publish-as-json; 4,096 bytes, of which a letter may take three.</summary>
    public static readonly WebhookShape Ntfy = new(
        "ntfy",
        WebhookTemplate.Parse("""{"topic": "{topic}", "title": "{title}", "message": "{all}", "priority": "{priority}", "tags": ["{kind}"]}"""),
        1300, text => text, TopicFromPath: true);

    /// <summary>https://docs.slack.dev/messaging/formatting-message-text: three characters are escaped; mrkdwn is off.</summary>
    public static readonly WebhookShape Slack = new(
        "slack", WebhookTemplate.Parse("""{"text": "{all}", "mrkdwn": false}"""), 3000,
        text => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal));

    /// <summary>https://discord.com/developers/docs/resources/webhook#execute-webhook; 2,000 characters, half of which may be backslashes.</summary>
    public static readonly WebhookShape Discord = new(
        "discord", WebhookTemplate.Parse("""{"content": "{all}", "allowed_mentions": {"parse": []}}"""), 1000, EscapeMarkdown);

    /// <summary>https://developer.pagerduty.com/docs/send-alert-event; the same <c>dedup_key</c> is one incident.</summary>
    public static readonly WebhookShape PagerDuty = new(
        "pagerduty",
        WebhookTemplate.Parse("""
            {"routing_key": "{key}", "event_action": "trigger", "dedup_key": "{site}-{id}",
             "payload": {"summary": "{text}", "source": "{site}", "severity": "{level}", "class": "{kind}", "custom_details": {"details": "{details}"}}}
            """),
        1024, text => text, NeedsKey: true);

    public static readonly WebhookShape Json = new(
        "json",
        WebhookTemplate.Parse("""{"id": "{id}", "kind": "{kind}", "severity": "{severity}", "site": "{site}", "text": "{text}", "details": "{details}", "at": "{at}"}"""),
        Plenty, text => text);

    public static readonly ImmutableArray<WebhookShape> Shipped = [Ntfy, Slack, Discord, PagerDuty, Json];

    /// <summary>The owner's own.</summary>
    public static WebhookShape Own(WebhookTemplate template) => new("own", template, Plenty, text => text);

    private static string EscapeMarkdown(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            _ = c is '*' or '_' or '~' or '`' or '|' or '>' or '<' or '[' or ']' or '(' or ')' or '#' or '-' or '\\' or '@' or ':' ? escaped.Append('\\').Append(c) : escaped.Append(c);
        }

        return escaped.ToString();
    }
}
