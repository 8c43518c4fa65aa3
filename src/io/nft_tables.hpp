// nf_tables transactions, and taking tables away, as no iptables program does.

#pragma once

#include <string>

#include "plumbline/base/family.hpp"
#include "plumbline/io/netlink_socket.hpp"

namespace plumbline::io {

/// Asks one question; a dump where its flags say so. ENOENT in the Reply for what is not there.
/// Throws HostError.
[[nodiscard]] wire::Reply ask(NetlinkSocket& nfnetlink, const wire::NetfilterQuery& query);

/// Carries out a batch. A refusal of its generation is ERESTART. Throws HostError.
[[nodiscard]] wire::Reply commit(NetlinkSocket& nfnetlink, const wire::NftBatch& batch);

/// Deletes the table unless it holds anything but base chains without rules and with the policy
/// ACCEPT. The look and the deletion are one step to everybody else: the deletion is refused by the
/// kernel when anything changed in between, and after some such tries the table stays. `nfnetlink`
/// is a NETLINK_NETFILTER socket. Throws HostError.
[[nodiscard]] wire::Reply drop_empty_table(NetlinkSocket& nfnetlink, Family family,
                                           const std::string& table);

/// Deletes all tables of all families. Throws HostError.
void drop_all_tables(NetlinkSocket& nfnetlink);

}  // namespace plumbline::io
