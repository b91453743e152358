#pragma once
/// A look at a run with very many nodes, which costs what it shows: a few of its rows, the nodes
/// around them, and the run's own figures as they were last stored.

#include "workflows/engine/engine.h"

#include <functional>

namespace tiphys::workflows {

/// Runs with more nodes than this keep the numbers of the first that failed in an annotation when
/// they end, so that a look at them need not search.
inline constexpr NodeIndex kManyNodes = 2000;
inline constexpr std::string_view kFailedNodesAnnotation = "tiphys.dev/failed-nodes";

/// The row of a node, or an error.
using RowReader = std::function<Result<std::string>(NodeIndex)>;

/// `document` with a part of its `count` nodes in status.nodes: the first, the last, those that
/// failed as far as they are known, and all around them; about `most` nodes. Errors: those of
/// `read`; invalid, when a row is damaged.
Result<doc::Value> workflow_excerpt(const doc::Value& document, NodeIndex count, NodeIndex most,
                                    const RowReader& read);

/// The rows with these numbers and of all nodes around them, numbered anew.
Result<std::vector<StoredRow>> rows_around(std::span<const NodeIndex> wanted, NodeIndex count,
                                           const RowReader& read);

/// Whether a stored row may be that of a pod which a person means by `wanted`: its name, its
/// node's name, id or display name, or the name of something around it. Cheap, and never false
/// where it should be true unless two names of the run hash alike.
bool may_be_meant(std::string_view row, std::string_view wanted);

}  // namespace tiphys::workflows
