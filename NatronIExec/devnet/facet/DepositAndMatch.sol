// SPDX-License-Identifier: GPL-2.0-or-later
pragma solidity 0.8.21;

/// What receiveApproval of a PoCo 6.2 hub does beyond that of 6.1: the call that comes with a deposit is a match, and is
/// run in the same transaction. Cut into a diamond of 6.1, whose own facet makes the deposit.
contract DepositAndMatch {
    struct AppOrder {
        address app;
        uint256 appprice;
        uint256 volume;
        bytes32 tag;
        address datasetrestrict;
        address workerpoolrestrict;
        address requesterrestrict;
        bytes32 salt;
        bytes sign;
    }

    struct DatasetOrder {
        address dataset;
        uint256 datasetprice;
        uint256 volume;
        bytes32 tag;
        address apprestrict;
        address workerpoolrestrict;
        address requesterrestrict;
        bytes32 salt;
        bytes sign;
    }

    struct WorkerpoolOrder {
        address workerpool;
        uint256 workerpoolprice;
        uint256 volume;
        bytes32 tag;
        uint256 category;
        uint256 trust;
        address apprestrict;
        address datasetrestrict;
        address requesterrestrict;
        bytes32 salt;
        bytes sign;
    }

    struct RequestOrder {
        address app;
        uint256 appmaxprice;
        address dataset;
        uint256 datasetmaxprice;
        address workerpool;
        uint256 workerpoolmaxprice;
        address requester;
        uint256 volume;
        bytes32 tag;
        uint256 category;
        uint256 trust;
        address beneficiary;
        address callback;
        string params;
        bytes32 salt;
        bytes sign;
    }

    error CallerIsNotTheRequester();
    error OperationFailed();
    error UnsupportedOperation(bytes4 selector);

    /// matchOrders(AppOrder,DatasetOrder,WorkerpoolOrder,RequestOrder)
    bytes4 private constant MATCH = 0x156194d4;
    /// The facet of 6.1.
    address private immutable depositing;

    constructor(address facet) {
        depositing = facet;
    }

    function receiveApproval(address sender, uint256, address, bytes calldata data) external returns (bool) {
        _run(depositing, msg.data);
        if (data.length > 0) {
            bytes4 selector = bytes4(data);
            if (selector != MATCH) revert UnsupportedOperation(selector);
            (, , , RequestOrder memory request) = abi.decode(
                data[4:],
                (AppOrder, DatasetOrder, WorkerpoolOrder, RequestOrder)
            );
            if (request.requester != sender) revert CallerIsNotTheRequester();
            _run(address(this), data);
        }
        return true;
    }

    function _run(address code, bytes calldata data) private {
        (bool done, bytes memory answer) = code.delegatecall(data);
        if (done) return;
        if (answer.length == 0) revert OperationFailed();
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}
