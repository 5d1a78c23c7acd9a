"""Networks: propagation, encoders, perception (segmentation and depth) and the RNN filter."""
