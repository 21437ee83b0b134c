using InternalHost.Control;
using InternalHost.Failover;
using InternalHost.Running;
using Testing;

namespace InternalHost.Tests.Running;

/// <summary>What an operator is told of an order, and when: by hand, the test takes the place of the controller's loop.</summary>
public sealed class OperatorOrdersTests
{
    private readonly FailoverInbox _inbox = new(new FakeTime());
    private readonly OperatorOrders _orders;

    public OperatorOrdersTests() => _orders = new OperatorOrders(_inbox);

    public static TheoryData<ControlRequest, Type, string> Orders => new()
    {
        { new ControlRequest.Open(TimeSpan.FromHours(2)), typeof(FailoverEvent.OperatorOpened), "opened" },
        { new ControlRequest.Close(), typeof(FailoverEvent.OperatorClosed), "closes" },
        { new ControlRequest.Pause(TimeSpan.FromHours(4), "works"), typeof(FailoverEvent.OperatorPaused), "no outage is acted on" },
        { new ControlRequest.Resume(), typeof(FailoverEvent.OperatorResumed), "withdrawn" },
    };

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Order_is_done_when_it_was_taken_and_not_before(ControlRequest request, Type order, string says)
    {
        var answer = _orders.HandleAsync(request, default);
        Assert.False(answer.IsCompleted);

        Assert.True(_inbox.TryRead(out var told));
        Assert.IsType(order, told.Event);
        Assert.False(answer.IsCompleted);
        told.Taken!.SetResult(null);

        var reply = (await answer)!;
        Assert.True(reply.Ok);
        Assert.Contains(says, reply.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Order_that_is_in_memory_only_is_done_with_a_warning()
    {
        var answer = _orders.HandleAsync(new ControlRequest.Close(), default);
        Assert.True(_inbox.TryRead(out var told));
        told.Taken!.SetResult("the journal cannot be written (disk full)");

        var reply = (await answer)!;

        Assert.True(reply.Ok);
        Assert.Contains("warning: the journal cannot be written (disk full)", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Order_that_nobody_takes_is_not_said_to_be_done()
    {
        using var limit = new CancellationTokenSource();
        var answer = _orders.HandleAsync(new ControlRequest.Close(), limit.Token);

        await limit.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
    }

    [Fact]
    public async Task What_is_no_order_is_left_to_others() => Assert.Null(await _orders.HandleAsync(new ControlRequest.Status(), default));
}
